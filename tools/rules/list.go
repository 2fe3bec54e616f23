package main

// part is a family of rules.
type part struct {
	title, intro string
	rules        []rule
}

// rule is a section of the reference. Its text is that of the archives which bear its
// number.
type rule struct {
	code string // as V8
	// Of a V or P rule: an archive and what it has that is refused, and accepted.
	bad, good example
	// Of an R rule: the archive whose dialogue or transfer is shown.
	dialogue string
	// What the rule asks beyond its archives, and the tests of that.
	beyond []sentence
}

// sentence is a part of a rule that no archive can show, and the test of it.
type sentence struct{ text, test string }

// example names a document of an archive, or a folder of an archive.
type example struct{ archive, name string }

// parts is every rule. A new one gets its archive first, and then a line here.
var parts = []part{
	{
		title: "What a document may hold",
		intro: `A document is accepted whole or refused whole, with all its errors at once. Each error gives
its place and its rule, quotes the line, and says what to do. Where a rule is about several
documents, or about a zone file, each file is shown under its name.`,
		rules: []rule{
			{code: "V1", bad: example{"document/v01-keys", "unknown.yaml"}, good: example{"document/good", "small.yaml"}, beyond: []sentence{
				{"An id, a name or a description has no control characters, however they are written.", "TestV1_ControlCharacters"},
			}},
			{code: "V2", bad: example{"document/v02-addresses", "unspecified.yaml"}, good: example{"document/v02-addresses", "unicast.yaml"}},
			{code: "V3", bad: example{"document/v03-names", "outside.yaml"}, good: example{"document/v03-names", "legal.yaml"}},
			{code: "V4", bad: example{"mapset/v04-once", "zone-of-two-accounts"}, good: example{"mapset/v04-once", "nested-zones-are-two"}},
			{code: "V5", bad: example{"mapset/v05-space", "anycast-is-no-account's"}, good: example{"mapset/v05-space", "own-and-leased"}},
			{code: "V6", bad: example{"mapset/v06-overlap", "two-documents"}, good: example{"mapset/v06-overlap", "delegated"}},
			{code: "V7", bad: example{"mapset/v07-static", "on-two-maps"}, good: example{"mapset/v07-static", "several-zones-on-one-map"}},
			{code: "V8", bad: example{"mapset/v08-members", "of-another-account"}, good: example{"mapset/v08-members", "any-form"}},
			{code: "V9", bad: example{"mapset/v09-two-maps", "zone"}, good: example{"mapset/v09-two-maps", "zone-and-account"}},
			{code: "V10", bad: example{"mapset/v10-empty-map", "without"}, good: example{"mapset/v07-static", "several-zones-on-one-map"}},
			{code: "V11", bad: example{"mapset/v11-byoip-only", "no-map"}, good: example{"mapset/v11-byoip-only", "good"}},
			{code: "V12", bad: example{"document/v12-edge-ips", "static-with-cname.yaml"}, good: example{"document/v12-edge-ips", "both-types.yaml"}},
			{code: "V13", bad: example{"document/v13-list-response", "whole-response.json"}, good: example{"document/v13-list-response", "one-map.yaml"}},
			{code: "V14", bad: example{"mapset/v14-zone-file", "contradiction"}, good: example{"mapset/v14-zone-file", "agreement"}},
			{code: "V15", bad: example{"mapset/v15-no-address", "disabled-map"}, good: example{"mapset/v15-no-address", "zone-map-or-account-map"}, beyond: []sentence{
				{"A document whose names lack an address only because another document is refused says which one that is.", "TestV15_NamesTheRefused"},
			}},
			{code: "V16", bad: example{"document/v16-many", "one-too-many.yaml"}, good: example{"document/v16-many", "two-families.yaml"}},
			{code: "V17", bad: example{"place/v17-zone-file", "elsewhere"}, good: example{"place/v17-zone-file", "below"}},
		},
	},
	{
		title: "What a reload may do",
		intro: `A version that breaks one of these rules is refused, and the one in force stays. Here
before.yaml is in force and after.yaml is to replace it; guard is the percentage that the
Corefile's guard has. To change a protected map on purpose takes two reloads: first a version
with the flag set to true, then the change.`,
		rules: []rule{
			{code: "P1", bad: example{"protection/p01-can-delete", "disabled"}, good: example{"protection/p01-can-delete", "flag-first"}, beyond: []sentence{
				{"With state, a protected map does not go while the server is stopped either.", "TestP1_AfterRestart"},
			}},
			{code: "P2", bad: example{"protection/p02-can-modify-ips", "other-ips"}, good: example{"protection/p02-can-modify-ips", "flag-first"}},
			{code: "P3", bad: example{"protection/p03-byoip-only", "flag-lost"}, good: example{"protection/p03-byoip-only", "zone-moved"}},
			{code: "P4", bad: example{"protection/p04-guard", "too-many-names"}, good: example{"protection/p04-guard", "one-name"}, beyond: []sentence{
				{"Of several documents that change at once, the one that goes beyond the percentage is refused, in the order in which they are admitted.", "TestP4_InOrderOfAdmission"},
			}},
			{code: "P5", bad: example{"protection/p05-nothing-left", "empty"}, good: example{"protection/p05-nothing-left", "others"}},
		},
	},
	{
		title: "What a client is answered",
		intro: `Each example has a map, what the backend has, and the first questions of a dialogue with the
server. Where there is no Corefile, the server block has addressmap maps.yaml, and file for
each zone file. Where the backend is a server that forward asks ({$UPSTREAM}), upstream is
what that server answers. In 192.0.2.0/24 and 2001:db8::/48 are the addresses of the map; what
is in 10.66.0.0/16 or 2001:db8:66::/48, or called hidden, is origin data.`,
		rules: []rule{
			{code: "R0", dialogue: "answer/r00-not-thought-of"},
			{code: "R1", dialogue: "answer/r01-unproxied"},
			{code: "R2", dialogue: "answer/r02-addresses"},
			{code: "R3", dialogue: "answer/r03-families"},
			{code: "R4", dialogue: "answer/r04-absent"},
			{code: "R5", dialogue: "answer/r05-flattened"},
			{code: "R6", dialogue: "answer/r06-other-types"},
			{code: "R7", dialogue: "answer/r07-in-zone"},
			{code: "R8", dialogue: "answer/r08-wildcard"},
			{code: "R9", dialogue: "answer/r09-service"},
			{code: "R10", dialogue: "answer/r10-synthesized"},
			{code: "R11", dialogue: "answer/r11-additional"},
			{code: "R12", dialogue: "answer/r12-referral"},
			{code: "R13", dialogue: "answer/r13-other-types"},
			{code: "R14", dialogue: "answer/r14-any"},
			{code: "R15", dialogue: "answer/r15-signatures"},
			{code: "R16", dialogue: "answer/r16-dnssec"},
			{code: "R17", dialogue: "answer/r17-signed-file"},
			{code: "R18", dialogue: "transfer/r18-content", beyond: []sentence{
				{"When a reload changes what the transfer of a zone would hold, the serial of its SOA rises in transfers and in answers, and NOTIFY goes out.", "TestR18_Changes"},
				{"With state, the serial does not go back across restarts.", "TestR18_SerialAcrossRestarts"},
			}},
			{code: "R19", dialogue: "transfer/r19-refuse"},
			{code: "R20", dialogue: "answer/r20-inner-queries"},
			{code: "R21", dialogue: "answer/r21-passed-on", beyond: []sentence{
				{"Of the response to a message that is no query only the header, the question, OPT and TSIG leave.", "TestR21_OpcodesAndQuestions"},
			}},
			{code: "R22", dialogue: "answer/r22-many"},
			{code: "R23", dialogue: "answer/r23-failures"},
			{code: "R24", dialogue: "answer/r24-spectrum"},
			{code: "R25", dialogue: "answer/r25-class"},
			{code: "R26", dialogue: "answer/r26-declared"},
			{code: "R27", dialogue: "answer/r27-soa"},
			{code: "R28", dialogue: "answer/r28-any-alias"},
			{code: "R29", dialogue: "answer/r29-unlisted"},
			{code: "R30", dialogue: "answer/r30-edns"},
		},
	},
}
