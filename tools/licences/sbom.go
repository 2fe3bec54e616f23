package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
)

// writeSBOM writes to the file out, as SPDX 2.3, which modules the binary at the given path is
// made of and under which licences. The time of the document is SOURCE_DATE_EPOCH, so that the
// same binary gives the same octets.
func writeSBOM(repository, at, out string) error {
	content, err := os.ReadFile(at)
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is to be the time of the commit: %w", err)
	}
	modules, err := linked(repository, []binary{ofBuild(info)})
	if err != nil {
		return err
	}
	if err := sameModules(info, modules); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	name, digest := strings.TrimSuffix(filepath.Base(out), ".spdx.json"), sha256.Sum256(content)
	sum := hex.EncodeToString(digest[:])
	doc := &v2_3.Document{
		SPDXVersion:       v2_3.Version,
		DataLicense:       v2_3.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      name,
		DocumentNamespace: "https://" + info.Main.Path + "/spdx/" + name + "-" + sum,
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: info.Main.Path + "/tools/licences"}},
			Created:  time.Unix(seconds, 0).UTC().Format(time.RFC3339),
		},
	}
	main := packageOf("binary", info.Main.Path, info.Main.Version, []string{"Apache-2.0"})
	main.PackageName, main.PackageFileName, main.PrimaryPackagePurpose = path.Base(info.Path), filepath.Base(at), "APPLICATION"
	main.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: sum}}
	doc.Packages = append(doc.Packages, main)
	doc.Relationships = append(doc.Relationships, relation("DOCUMENT", common.TypeRelationshipDescribe, "binary"))
	for i, m := range modules {
		ids, err := judge(m.files)
		if err != nil {
			return fmt.Errorf("%s %s: %w", m.path, m.version, err)
		}
		id := common.ElementID(fmt.Sprintf("module-%d", i+1))
		if m.path == "std" { // Scanners look for it by this name.
			doc.Packages = append(doc.Packages, packageOf(id, "stdlib", strings.TrimPrefix(m.version, "go"), ids))
		} else {
			doc.Packages = append(doc.Packages, packageOf(id, m.path, m.version, ids))
		}
		doc.Relationships = append(doc.Relationships, relation("binary", common.TypeRelationshipStaticLink, id))
	}
	if err := spdxlib.ValidateDocument(doc); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := spdxjson.Write(doc, &text, spdxjson.Indent(" ")); err != nil {
		return err
	}
	return os.WriteFile(out, text.Bytes(), 0o644)
}

// ofBuild returns how go list is asked for the packages of a binary.
func ofBuild(info *debug.BuildInfo) binary {
	b := binary{name: path.Base(info.Path)}
	for _, s := range info.Settings {
		switch s.Key {
		case "-tags":
			b.args = append(b.args, "-tags", s.Value)
		case "GOOS", "GOARCH", "GOARM", "CGO_ENABLED":
			b.env = append(b.env, s.Key+"="+s.Value)
		}
	}
	b.args = append(b.args, "."+strings.TrimPrefix(info.Path, info.Main.Path))
	return b
}

// sameModules returns an error if the binary has other modules than the checkout gives it.
func sameModules(info *debug.BuildInfo, modules []*module) error {
	var built, now []string
	for _, m := range info.Deps {
		built = append(built, m.Path+" "+m.Version)
	}
	for _, m := range modules {
		now = append(now, m.path+" "+m.version)
	}
	built = append(built, "std "+info.GoVersion)
	slices.Sort(built)
	slices.Sort(now)
	if slices.Equal(built, now) {
		return nil
	}
	return fmt.Errorf("it was built of %q, and this checkout would of %q: build it anew", built, now)
}

func packageOf(id common.ElementID, module, version string, licences []string) *v2_3.Package {
	licence := strings.Join(licences, " AND ")
	if len(licences) > 1 {
		licence = "(" + licence + ")"
	}
	return &v2_3.Package{
		PackageName:               module,
		PackageSPDXIdentifier:     id,
		PackageVersion:            version,
		PackageDownloadLocation:   "NOASSERTION",
		IsFilesAnalyzedTagPresent: true,
		PackageLicenseConcluded:   licence,
		PackageLicenseDeclared:    licence,
		PackageCopyrightText:      "NOASSERTION",
		PackageExternalReferences: []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager,
			RefType:  common.TypePackageManagerPURL,
			// A plus stands for a space where a version is decoded as a part of a query.
			Locator: "pkg:golang/" + module + "@" + strings.ReplaceAll(version, "+", "%2B"),
		}},
	}
}

func relation(from common.ElementID, kind string, to common.ElementID) *v2_3.Relationship {
	return &v2_3.Relationship{RefA: common.DocElementID{ElementRefID: from}, Relationship: kind, RefB: common.DocElementID{ElementRefID: to}}
}
