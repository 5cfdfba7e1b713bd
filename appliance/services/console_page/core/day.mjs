// A day of questions, hour by hour, as a chart shows it: also the hours in which nobody asked.

/** `{ label, value, odd }` for each hour; `odd` is how many were not answered. */
export function hoursOf(told) {
  const found = new Map((told.hours ?? []).map((each) => [each.hour, each]));
  return Array.from({ length: 24 }, (_, hour) => {
    const { count = 0, answered = 0 } = found.get(hour) ?? {};
    return { label: `${String(hour).padStart(2, "0")}:00`, value: count, odd: count - answered };
  });
}
