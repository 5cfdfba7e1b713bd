// A code that a phone's camera reads; the box draws it.
import { html } from "../ui.mjs";

export const Qr = ({ src, alt }) => src && html`<img class="qr" src=${src} alt=${alt} width="176" height="176" />`;
