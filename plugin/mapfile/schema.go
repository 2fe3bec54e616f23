package mapfile

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of a map document, for editors and
// for programs that write documents. It accepts every document that [Parse]
// accepts; Parse refuses more. Read only.
//
//go:embed schema.json
var Schema []byte
