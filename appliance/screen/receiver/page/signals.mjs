// The signals of a stream, kept by version.

// a Map, so that no signal's name can reach a prototype
export class Signals {
  values = new Map();
  epoch = null;
  version = null;

  get(name) {
    return this.values.get(name);
  }
  sync(state) {
    this.values.clear();
    this.put(state);
    this.epoch = state.$?.e ?? null;
    this.version = state.$?.v ?? null;
  }
  // false: the diff is for another version; nothing was changed
  diff(change) {
    const at = change.$;
    if (at && (at.e !== this.epoch || at.b !== this.version)) return false;
    for (const name of at?.del ?? []) this.values.delete(name);
    this.put(change);
    if (at) this.version = at.v;
    return true;
  }
  put(values) {
    for (const name in values) if (name !== "$") this.values.set(name, values[name]);
  }
}
