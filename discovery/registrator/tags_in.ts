// A list of tags out of one text, in registrator's form. Pure; owns nothing else.

/** Tags are separated by commas; `\,` is a comma within a tag. In the order written, without empty ones. */
export function tagsIn(text: string): readonly string[] {
  return text.split(/(?<!\\),/).map((tag) => tag.replaceAll("\\,", ",").trim())
    .filter((tag) => tag !== "");
}
