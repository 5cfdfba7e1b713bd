// Put into the page before its own script runs: notes when what the hero shows changes, and when that is painted.
"use strict";

(() => {
  const request = window.requestAnimationFrame.bind(window);
  let framing = false;
  // The microtask runs behind those of the changes that `draw` made: they still see that a frame is being made.
  window.requestAnimationFrame = (draw) =>
    request((time) => {
      framing = true;
      try {
        draw(time);
      } finally {
        queueMicrotask(() => (framing = false));
      }
    });
  // A message sent while a frame is being made is delivered once that frame is done.
  const afterFrame = (then) => {
    const { port1, port2 } = new MessageChannel();
    const send = () => port2.postMessage(0);
    port1.onmessage = () => then(performance.now());
    framing ? send() : request(send);
  };

  const bench = (window.bench = { seen: [], submitted: 0, waiting: [] });
  const fits = (shown, wanted) => Object.entries(wanted).every(([name, value]) => shown[name] === value);
  // The first look from number `from` on that shows all that is wanted, once it is painted.
  bench.until = (from, wanted) =>
    new Promise((resolve) => {
      const found = bench.seen.slice(from).find((shown) => shown.painted && fits(shown, wanted));
      found ? resolve(found) : bench.waiting.push({ from, wanted, resolve });
    });
  const painted = (index, at) => {
    const shown = bench.seen[index];
    shown.painted = at;
    bench.waiting = bench.waiting.filter(({ from, wanted, resolve }) => {
      const found = index >= from && fits(shown, wanted);
      if (found) resolve(shown);
      return !found;
    });
  };

  addEventListener("submit", () => (bench.submitted = performance.now()), true);
  addEventListener("DOMContentLoaded", () => {
    const $ = (id) => document.getElementById(id);
    const look = () => {
      const index = bench.seen.length, number = document.querySelector("#figure.number b");
      bench.seen.push({
        changed: performance.now(), painted: 0, question: $("question").textContent, stage: $("steps").dataset.at,
        number: number && number.textContent,
      });
      afterFrame((at) => painted(index, at));
    };
    const watched = { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-id", "data-at"] };
    new MutationObserver(look).observe($("hero"), watched);
  });
})();
