// What the pages are made with: Preact, its hooks, and templates that need no build.
import { h, render, Fragment, createContext } from "./vendor/preact.mjs";
import htm from "./vendor/htm.mjs";

export { render, Fragment, createContext };
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useId } from "./vendor/hooks.mjs";
export const html = htm.bind(h);
