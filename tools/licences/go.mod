module github.com/addressmap/addressmap/tools/licences

go 1.26.0

require github.com/google/licensecheck v0.3.1

require (
	github.com/anchore/go-struct-converter v0.1.0 // indirect
	github.com/spdx/tools-golang v0.5.7
)
