/** Files that remain valid whatever the model's sizes are. */
const carried = [
  /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|generation_config)\.json$/,
  /^(preprocessor_config|processor_config|video_preprocessor_config|chat_template)\.json$/,
  /^(vocab|merges)\.txt$/,
  /\.(model|jinja)$/,
  /^(LICENSE|LICENCE|NOTICE|README|USE_POLICY)(\..+)?$/i,
  /^\.gitattributes$/,
];

/** Files that are written fresh. */
const own = /^(config\.json|.*\.safetensors(\.index\.json)?)$/;

/**
 * Sorts a folder's files into those copied to the new one and those left behind because they would be stale.
 */
export function partFiles(names: readonly string[]): {
  readonly copied: readonly string[];
  readonly left: readonly string[];
} {
  const others = names.filter((name) => !own.test(name) || name.startsWith("adapter_"));
  const isCopied = (name: string) => carried.some((pattern) => pattern.test(name));
  return { copied: others.filter(isCopied), left: others.filter((name) => !isCopied(name)) };
}
