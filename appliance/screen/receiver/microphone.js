// What the audio thread runs while somebody speaks: samples, a tenth of a second at a time, for the page to send.

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.kept = new Float32Array(Math.round(sampleRate / 10));
    this.count = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.kept[this.count++] = sample;
      if (this.count < this.kept.length) continue;
      this.port.postMessage(this.kept.slice());
      this.count = 0;
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
