// Counts words as the server does (microcred/credentials/words.py); both are tested on the same examples.
"use strict";

const CJK = new RegExp(
  "[\\u3005-\\u3007\\u3021-\\u3029\\u3041-\\u3096\\u309d-\\u309f\\u30a1-\\u30fa\\u30fc-\\u30ff\\u31f0-\\u31ff" +
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\uff66-\\uff9f\\u{20000}-\\u{323af}]", "gu");
// \s knows U+FEFF as white space and U+0085 not; the rule has it the other way round.
const RUN = /\P{White_Space}+/gu;
const WORD = /[\p{L}\p{N}]/u;

function countWords(text) {
  let characters = 0;
  const spaced = text.replace(CJK, () => { characters += 1; return " "; });
  return characters + (spaced.match(RUN) || []).filter((run) => WORD.test(run)).length;
}
