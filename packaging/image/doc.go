// Package image tests the image that build.sh makes, if ADDRESSMAP_IMAGE=1 asks for that.
package image
