package openrosa

import "testing"

func TestApp(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"org.odk.collect.android/v2025.2.3 Dalvik/2.1.0 (Linux; U; Android 12; SM-A125F Build/SP1A)": "ODK Collect v2025.2.3",
		"org.koboc.collect.android/2024.1.3 Dalvik/2.1.0 (Linux; U; Android 9)":                      "KoboCollect 2024.1.3",
		"org.odk.collect.android": "ODK Collect",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                       "Chrome 130",
		"Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36":          "Samsung Internet 26",
		"Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0":                                                                  "Firefox 131",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604": "Safari 17",
		"org.odk.collect.android/v1<script>":                             "ODK Collect v1",
		"org.odk.collect.android/v1111111111111111111111111111111111111": "ODK Collect v11111111111111111111111",
		"Go-http-client/1.1":                                             "", "": "", "curl/8": "", "Mozilla/5.0": "",
	} {
		if got := App(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
