// Small drawings beside words; they say nothing that the words do not.
import { html } from "../ui.mjs";

const DRAWN = {
  overview: "M4 13h6V4H4zM14 20h6V4h-6zM4 20h6v-3H4z",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4",
  rooms: "M4 21V4h10v17M14 8h6v13M2 21h20M10 12.5v.5",
  data: "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
  alert: "M6 17V11a6 6 0 1 1 12 0v6l1.5 2h-15zM10 21h4",
  question: "M4 5h16v11H12l-5 4v-4H4zM9.8 8.8a2.2 2.2 0 1 1 3 2c-.6.3-.8.6-.8 1.2M12 13.6v.1",
  roles: "M12 3l8 3v6c0 5-3.5 8-8 9.5C7.5 20 4 17 4 12V6zM9 12l2.2 2.200L15.5 9.8",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.500s6.1 1.9 6.5 5.500M16 4.300a3.5 3.5 0 0 1 0 6.400M18 14.800c2 .8 3.2 2.6 3.5 5.2",
  audit: "M6 3h9l4 4v14H6zM14.5 3v4.500H19M9.5 12.500h6M9.5 16.500h6",
  health: "M3 12.500h4l2.5-6 4 11 2.5-5H21",
  model: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
  backup: "M4 7h16v13H4zM3 3h18v4H3zM9.5 11.500h5",
  update: "M12 4v11M7.5 11l4.5 4.5 4.5-4.500M4 20h16",
  log: "M4 5h16M4 10h10M4 15h16M4 20h7",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5",
  about: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.600v.1",
  plus: "M12 5v14M5 12h14", close: "M6 6l12 12M18 6L6 18", back: "M14.5 5L8 12l6.5 7", next: "M9.5 5L16 12l-6.5 7",
  menu: "M4 7h16M4 12h16M4 17h16", search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.500L20 20",
  good: "M5 12.500l4.5 4.500L19 7.5", warn: "M12 4l9 16H3zM12 10v4.500M12 17.300v.1", down: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.500v5.500M12 16.300v.1",
  trash: "M4 7h16M9.5 7V4h5v3M6.5 7l1 13h9l1-13", edit: "M4 20l1-4.500L16 4.500l3.5 3.5-11 11zM13.5 7l3.5 3.5",
  wave: "M4 12h.1M8 8.500v7M12 5v14M16 8.500v7M20 12h.1", ticket: "M3 7h18v3.500a1.7 1.7 0 0 0 0 3.400V17H3v-3.100a1.7 1.7 0 0 0 0-3.400zM14 7v10",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1", play: "M8 5l11 7-11 7z", stop: "M6 6h12v12H6z", out: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  theme: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h6.500M12 12h9M12 16h6.5", eye: "M2.5 12C5 7.5 8.3 5.5 12 5.500s7 2 9.5 6.500c-2.5 4.5-5.8 6.5-9.5 6.500S5 16.5 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  key: "M8 15.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 11.500h9M18 11.500v3.5", file: "M6 3h9l4 4v14H6zM14.5 3v4.500H19", link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  message: "M4 5h16v11H12l-5 4v-4H4z",
};

/** `turn`: it points along the line of reading, and is turned where that goes from right to left. */
export const Icon = ({ name, turn = false }) => html`<svg class=${`icon${turn ? " turn" : ""}`} viewBox="0 0 24 24" aria-hidden="true"><path d=${DRAWN[name]} /></svg>`;

export const Mark = () => html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M7 20.500h3.500L14 9l4.5 15 3-7.500H25" /></svg>`;
