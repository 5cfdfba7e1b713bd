// Speech: each piece begins where the one before it ends; a first one ends what still sounds.

let voice, ends = 0;

export const speaking = () => ends > (voice?.currentTime ?? 0);

export function sound({ first, rate, samples }) {
  if (first) {
    voice?.close();
    voice = null;
    ends = 0;
  }
  if (!samples.length) return;
  voice ??= new AudioContext({ sampleRate: rate });
  const piece = voice.createBuffer(1, samples.length, rate), player = voice.createBufferSource();
  piece.copyToChannel(samples, 0);
  player.buffer = piece;
  player.connect(voice.destination);
  player.start((ends = Math.max(ends, voice.currentTime)));
  ends += piece.duration;
}
