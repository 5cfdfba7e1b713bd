// Whether a page only waits, unseen, for the person who was signed out to sign in again.
import { createContext } from "../ui.mjs";

export const Held = createContext(false);
