module github.com/addressmap/addressmap/bench

go 1.26.0

replace github.com/addressmap/addressmap => ..

require (
	github.com/addressmap/addressmap v0.0.0
	github.com/miekg/dns v1.1.73
)

require (
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/gaissmai/bart v0.30.0 // indirect
	github.com/klauspost/compress v1.20.1 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
