package spdk

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"a","psk":"s3cret","x":[{"dhchap_key":"s3cret"},1.50,null,true]}`: `{"name":"a","psk":"[removed]","x":[{"dhchap_key":"[removed]"},1.50,null,true]}`,
		` { "secrets" : [ {"user":"u","secret":"s3cret"} ] } `:                     `{"secrets":"[removed]"}`,
		`{"cipher":"AES_CBC","key":"s3cret","key2":"s3cret","Key_File":"f"}`:       `{"cipher":"AES_CBC","key":"[removed]","key2":"[removed]","Key_File":"f"}`,
		`{"password":{"a":["s3cret"]},"b":{"hostKeys":7}}`:                         `{"password":"[removed]","b":{"hostKeys":"[removed]"}}`,
		`"psk"`:                              `"psk"`,
		`["psk","s"]`:                        `["psk","s"]`,
		`{"psk":1,"psk":2}`:                  `{"psk":"[removed]","psk":"[removed]"}`,
		`{"url":"http://root:s3cret@h:1/x"}`: `{"url":"http://root:[removed]@h:1/x"}`,
		`["NVMeTLSkey-1:01:s3cret:","DHHC-1:00:s3cret"]`: `["NVMeTLSkey-1:[removed]","DHHC-1:[removed]"]`,
		`18446744073709551615`:                           `18446744073709551615`,
		`{"psk":"s3cret"`:                                `"[removed]"`,
		``:                                               `"[removed]"`,
	} {
		got := string(Redact([]byte(in)))
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
		if strings.Contains(got, "s3cret") {
			t.Errorf("%s: the secret is still there: %s", in, got)
		}
	}
}

// What is read off targets has no secrets in it, so all of it is kept.
func TestRedactKeepsWhatTargetsSay(t *testing.T) {
	n := 0
	for _, name := range allTranscripts(t) {
		for _, x := range transcript(t, name) {
			for _, raw := range [][]byte{x.Request.Params, x.Response.Result} {
				if raw == nil {
					continue
				}
				n++
				if got := string(Redact(raw)); strings.Contains(got, Removed) {
					t.Errorf("%s: %s: something is removed: %s", name, x.Request.Method, got)
				}
			}
		}
	}
	if n < 1000 {
		t.Errorf("only %d values", n)
	}
}

func TestRedactText(t *testing.T) {
	for in, want := range map[string]string{
		"dial http://u:s3cret@h: no":                      "dial http://u:[removed]@h: no",
		"http://u:a@b/c:d@h/path":                         "http://u:[removed]@h/path",
		"http://u@u:s3cret@h:1/a":                         "http://u@u:[removed]@h:1/a",
		"tcp://[::1]:80 and unix:///a@b, ssh://u@h:2/s@t": "tcp://[::1]:80 and unix:///a@b, ssh://u@h:2/s@t",
	} {
		if got := RedactText(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
