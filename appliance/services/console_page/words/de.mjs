// German, by the English that stands in the pages.
import box from "./de/box.mjs";
import data from "./de/data.mjs";
import faults from "./de/faults.mjs";
import frame from "./de/frame.mjs";
import screens from "./de/screens.mjs";

export default { ...faults, ...frame, ...screens, ...data, ...box };
