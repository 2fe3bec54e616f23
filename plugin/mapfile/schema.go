package mapfile

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of a map document, for editors and
// for programs that write documents. It accepts every document that [Parse]
// accepts; Parse refuses more. Its $id has its version; the validator ajv takes it in
// strict mode without plugins. Read only.
//
//go:embed schema.json
var Schema []byte
