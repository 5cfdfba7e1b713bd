// A text as a short name for addresses and commands.

/** Lower-case letters without their accents and digits, with `mark` for what is between them. */
export function slug(text, mark = "-", most = 40) {
  const plain = text.toLowerCase().replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "");
  return plain.replace(/[^a-z0-9]+/g, mark).slice(0, most).replace(mark === "-" ? /^-+|-+$/g : /^[^a-z]+|_+$/g, "");
}
