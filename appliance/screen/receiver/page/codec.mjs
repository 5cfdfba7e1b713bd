// The codec, as docs/reference/bitstream.md says.

const HEADER = 16, KEYFRAME = 2, DEFLATE = 4;
export const LIMIT = 4 << 20;
export const TYPE = { AUDIO: 0x10, SYNC: 0x30, DIFF: 0x31, INPUT: 0x40, CONTROL: 0xf0 };

const fault = (code) => Object.assign(new Error("The frame cannot be read."), { code });

export function encode(type, value) {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const raw = new Uint8Array(HEADER + body.length), head = new DataView(raw.buffer);
  head.setUint8(0, type);
  head.setUint8(1, type === TYPE.INPUT ? 1 : 0);
  head.setUint32(12, body.length, true);
  raw.set(body, HEADER);
  return raw;
}

export function* split(buffer, limit = LIMIT) {
  const raw = new Uint8Array(buffer);
  for (let at = 0; at < raw.length; ) {
    if (raw.length - at < HEADER) throw fault("SIG300");
    const head = new DataView(raw.buffer, at);
    const flags = head.getUint8(1), length = head.getUint32(12, true), from = at + HEADER;
    if (flags > 7) throw fault("SIG301");
    if (length > limit) throw fault("SIG302");
    at = from + length;
    if (at > raw.length) throw fault("SIG300");
    yield { type: head.getUint8(0), flags, rate: head.getUint16(8, true) * 100, channels: head.getUint16(10, true), payload: raw.subarray(from, at) };
  }
}

// stops at the limit: a small frame cannot fill the memory
export async function inflate(bytes, limit = LIMIT) {
  const parts = [], source = new Response(bytes).body.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  for (let size = 0; ; ) {
    const { done, value } = await source.read().catch(() => Promise.reject(fault("SIG304")));
    if (done) return new Response(new Blob(parts)).arrayBuffer();
    parts.push(value);
    size += value.length;
    if (size > limit) {
      source.cancel();
      throw fault("SIG302");
    }
  }
}

function parse(bytes) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {}
  throw fault("SIG303");
}

// 16 bits, signed, little-endian, one channel; other sound, and half samples, are skipped
function pcm(bytes, rate, channels) {
  const view = new DataView(new Uint8Array(bytes).buffer);
  if (!rate || channels !== 1 || view.byteLength % 2) return null;
  return Float32Array.from({ length: view.byteLength >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32768);
}

// frames keep their order whatever inflating takes; unknown types are skipped
export function reader(onFrame, onFault, limit = LIMIT) {
  let last = Promise.resolve();
  const read = async (buffer) => {
    for (const { type, flags, rate, channels, payload } of split(buffer, limit)) {
      if (!Object.values(TYPE).includes(type)) continue;
      const body = flags & DEFLATE ? await inflate(payload, limit) : payload;
      if (type !== TYPE.AUDIO) onFrame(type, parse(body));
      else {
        const samples = pcm(body, rate, channels);
        if (samples) onFrame(type, { first: flags & KEYFRAME, rate, samples });
      }
    }
  };
  return (buffer) => (last = last.then(() => read(buffer)).catch(onFault));
}
