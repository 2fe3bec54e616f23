package book

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOneRule(t *testing.T) { book(t, "r00-*.txtar") }

func TestR1_Unproxied(t *testing.T)           { book(t, "r01-*.txtar") }
func TestR2_Addresses(t *testing.T)           { book(t, "r02-*.txtar") }
func TestR3_Families(t *testing.T)            { book(t, "r03-*.txtar") }
func TestR4_Absent(t *testing.T)              { book(t, "r04-*.txtar") }
func TestR5_Flattened(t *testing.T)           { book(t, "r05-*.txtar") }
func TestR6_OtherTypesAtAnAlias(t *testing.T) { book(t, "r06-*.txtar") }
func TestR7_Chains(t *testing.T)              { book(t, "r07-*.txtar") }
func TestR8_Wildcards(t *testing.T)           { book(t, "r08-*.txtar") }
func TestR9_Services(t *testing.T)            { book(t, "r09-*.txtar") }
func TestR10_SynthesizedHTTPS(t *testing.T)   { book(t, "r10-*.txtar") }
func TestR11_Additional(t *testing.T)         { book(t, "r11-*.txtar") }
func TestR12_Referrals(t *testing.T)          { book(t, "r12-*.txtar") }
func TestR13_OtherTypes(t *testing.T)         { book(t, "r13-*.txtar") }
func TestR14_Any(t *testing.T)                { book(t, "r14-*.txtar") }
func TestR15_Signatures(t *testing.T)         { book(t, "r15-*.txtar") }
func TestR20_InnerQueries(t *testing.T)       { book(t, "r20-*.txtar") }
func TestR21_PassedOn(t *testing.T)           { book(t, "r21-*.txtar") }
func TestR22_ManyAddresses(t *testing.T)      { book(t, "r22-*.txtar") }
func TestR23_Failures(t *testing.T)           { book(t, "r23-*.txtar") }
func TestR24_Spectrum(t *testing.T)           { book(t, "r24-*.txtar") }
func TestR25_Classes(t *testing.T)            { book(t, "r25-*.txtar") }
func TestR26_RefusedAtTheStart(t *testing.T)  { book(t, "r26-*.txtar") }
func TestR27_SOA(t *testing.T)                { book(t, "r27-*.txtar") }
func TestR28_AnyAtAnAlias(t *testing.T)       { book(t, "r28-*.txtar") }
func TestR29_Unlisted(t *testing.T)           { book(t, "r29-*.txtar") }
func TestR30_ExtendedErrors(t *testing.T)     { book(t, "r30-*.txtar") }
func TestR16_SignedOnLine(t *testing.T)       { book(t, "r16-*.txtar") }
func TestR17_SignedInFile(t *testing.T)       { book(t, "r17-*.txtar") }

// Each archive is of a rule, and each rule has one but those of transfers.
func TestBook_IsWhole(t *testing.T) {
	archives, err := filepath.Glob("../../testdata/answer/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, path := range archives {
		rule, _, _ := strings.Cut(filepath.Base(path), "-")
		got = append(got, rule)
	}
	got = slices.Compact(got)
	for n := 0; !slices.Contains(want, got[len(got)-1]); n++ {
		if n != 18 && n != 19 {
			want = append(want, fmt.Sprintf("r%02d", n))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got archives of %v\nwant %v", got, want)
	}
	text, err := os.ReadFile("rules_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range want {
		if !strings.Contains(string(text), `book(t, "`+rule+`-*.txtar")`) {
			t.Errorf("no test reads the archives of %s", rule)
		}
	}
}
