package drain

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of a file of drains, for editors and for programs
// that write drains. It accepts every file that [Parse] accepts; Parse refuses more. Read
// only.
//
//go:embed schema.json
var Schema []byte
