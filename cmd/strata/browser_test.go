package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"strata/spdk/sim"
)

// browser is the page of a watch as Chromium shows it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // that Chromium has with the page
}

// chromium starts a browser without a window; the test is skipped where there is none.
func chromium(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		if os.Getenv("STRATA_TEST_CHROMIUM") != "" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium, of Debian's package of that name, is not installed")
	}
	ctx, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute)))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.Navigate("about:blank"))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.problems = append(b.problems, m.String())
			b.mu.Unlock()
		}
	}()
	return b
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// call gives Chromium an order.
func call[P, R any](b *browser, cmd cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, cmd, params); err != nil {
		b.t.Fatal(err)
	}
}

// is evaluates an expression of JavaScript.
func (b *browser) is(expr string) any {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](expr))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// shows waits until an expression is true.
func (b *browser) shows(expr string) {
	b.t.Helper()
	for until := time.Now().Add(watchPatience); ; time.Sleep(50 * time.Millisecond) {
		if b.is("Boolean("+expr+")") == true {
			return
		}
		if time.Now().After(until) {
			b.shot("failed")
			b.mu.Lock()
			defer b.mu.Unlock()
			b.t.Fatalf("%s is not so; the page says\n%v\nand Chromium %q", expr, b.is("document.body.innerText"), b.problems)
		}
	}
}

// says waits until what people read of the first element of a selector has a text.
func (b *browser) says(selector, text string) {
	b.t.Helper()
	b.shows(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

// shot keeps a picture of the whole page.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := filepath.Join("..", "..", ".cache", "page")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// size makes the window as large as that of a device.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
}

// fits fails where the page is wider than the window.
func (b *browser) fits() {
	b.t.Helper()
	if wide := b.is("document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide != 0.0 {
		b.t.Errorf("it is %v pixels too wide", wide)
	}
}

// unreadable lists what is hard to read, or to use without eyes or a mouse: text with
// less contrast than WCAG asks for at level AA, what has no name, what is there twice.
const unreadable = `(() => {
	const found = [];
	const channels = (css) => css.match(/[\d.]+/g).map(Number);
	const luminance = (css) => {
		const [r, g, b] = channels(css).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const color = getComputedStyle(e).backgroundColor;
			if ((channels(color)[3] ?? 1) === 1) return color;
		}
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;
		if (!texts.currentNode.data.trim() || !e.checkVisibility()) continue;
		const [light, dark] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort((a, b) => b - a);
		const contrast = (light + 0.05) / (dark + 0.05);
		if (contrast < 4.5) found.push("contrast " + contrast.toFixed(1) + " of " + texts.currentNode.data.trim());
	}
	for (const e of document.querySelectorAll("meter, progress, section, input, [role=region]")) {
		const by = document.getElementById(e.getAttribute("aria-labelledby"));
		if (!e.ariaLabel && !by?.textContent && !e.labels?.length) found.push("no name: " + e.outerHTML);
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("twice: " + id);
	let last = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
		const level = Number(h.nodeName[1]);
		if (level > last + 1) found.push("heading of no section: " + h.textContent);
		last = level;
	}
	return found.join("\n");
})()`

// reads fails where the page is hard to read.
func (b *browser) reads() {
	b.t.Helper()
	if found := b.is(unreadable); found != "" {
		b.t.Errorf("hard to read:\n%v", found)
	}
}

func (b *browser) dark(is bool) {
	b.t.Helper()
	scheme := "light"
	if is {
		scheme = "dark"
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

const pageVolumes = `package lab

volumes: {
	db: {size: 1Gi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any", snapshots: ["base", "monday"], auto: ["serve", "fence", "rebuild"]}
	logs: {size: 256Mi, replicas: on: ["n2", "n3"], engine: "n3", export: nvmf: hosts: "any", %s}
}
`

// TestPage loses a replica and has it made again, and looks at the page meanwhile: with
// and without scripts, on a desktop, a phone and in the dark.
func TestPage(t *testing.T) {
	t.Parallel()
	b := chromium(t)
	dir := t.TempDir()
	l := newLab(dir)
	t.Cleanup(l.close)
	volumes := func(more string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "lab", "volumes.cue"), fmt.Appendf(nil, pageVolumes, more), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.configure("n1", "n2", "n3"); err != nil {
		t.Fatal(err)
	}
	volumes("")
	if err := l.start(sim.Options{DiskSize: 2 << 30, CopyRate: 2 << 20, HostLatency: time.Millisecond}, "n1", "n2", "n3"); err != nil {
		t.Fatal(err)
	}
	at := l.seen(t, "--auto", "serve,fence,rebuild")
	b.open(at)

	// Nobody may make new volumes but a person.
	b.says("#waiting", "volume db,")
	b.says("#waiting", "strata apply")
	b.shot("waiting")
	l.strata(t, "apply", "--auto-approve", "lab")
	b.says("#top .state", "everything is as configured")
	b.shows(`document.getElementById("waiting").hidden`)
	b.shows(`document.querySelectorAll("article.volume.healthy").length === 2`)
	for _, v := range []string{"db", "logs"} {
		if err := l.connect(v, hostNQN); err != nil {
			t.Fatal(err)
		}
	}
	for i, letter := range []string{"A", "B", "C"} {
		l.do(t, l.cmdWrite, "db", fmt.Sprint(i*4<<20), "4Mi", letter)
	}
	b.says("[id^=volume-db]", "connected: "+hostNQN+" at 127.0.0.1")
	b.says("[id^=volume-db]", "written 12Mi")
	b.says("[id^=volume-db] .stack", "base")
	b.says("[id^=volume-db]", "auto: serve, fence, rebuild")
	b.fits()
	b.reads()
	b.shot("healthy")

	// Focus stays where it is while things change around it.
	b.is(`document.querySelector("[id^=volume-db] a").focus() ?? true`)
	l.do(t, l.cmdDown, "n2")
	b.shows(`document.querySelectorAll("article.volume.degraded").length === 2`)
	b.says("#node-n2", "silent")
	b.shows(`document.querySelector("#node-n1 meter").value > 0`)
	b.says("[id^=volume-db]", "1 of 2 current")
	b.says("[id^=volume-db]", "not healthy for ")
	b.says("[id^=volume-db] .missing", "the node does not answer")
	b.says("#trouble", "node n2")
	b.says("#entries", "node does not answer")
	b.says("#entries", "step done")
	b.shows(`document.activeElement.textContent === "db"`)
	b.shot("lost")
	b.dark(true)
	if ground := b.is("getComputedStyle(document.documentElement).backgroundColor"); ground != "rgb(20, 23, 27)" {
		t.Errorf("in the dark it is %v", ground)
	}
	b.reads()
	b.shot("lost-dark")

	// What was lost is made again; how far that is is seen.
	l.do(t, l.cmdWrite, "db", fmt.Sprint(16<<20), "12Mi", "D")
	l.do(t, l.cmdUp, "n2")
	b.shows(`!document.getElementById("copies").hidden`)
	b.says("#copies", "n1 → n2")
	b.shows(`document.querySelector("#copies progress").value > 0`)
	b.shows(`/ of \S+i, \d+ %, \S+i\/s, \S+s left/.test(document.getElementById("copies").innerText)`)
	b.says("#top .state", "being copied")
	b.says("#trouble", "the rebuild of n2 is pending")
	b.shows(`!document.getElementById("trouble").innerText.includes("does not answer")`)
	b.shows(`!document.querySelector(".missing")`)
	b.shot("rebuild-dark")
	b.dark(false)
	b.reads()
	b.shot("rebuild")
	b.size(390, 844)
	b.fits()
	b.shot("rebuild-phone")
	b.size(1920, 1080)
	b.fits()
	b.shot("rebuild-wide")
	b.shows(`document.querySelectorAll("article.volume.healthy").length === 2`)
	b.shows(`document.getElementById("copies").hidden`)
	b.size(1280, 900)
	for _, v := range []string{"db", "logs"} { // its host has found it again, as this shows
		l.do(t, l.cmdWrite, v, "0", "1Mi", "E")
		b.says("[id^=volume-"+v+"]", "connected: "+hostNQN)
	}

	// A configuration that is broken is said to be, and what is in it stays text.
	volumes(`engin: "<img src=x onerror=document.title='gone'>"`)
	b.says("#top [role=alert]", "last good one stays in force")
	b.says("#top [role=alert]", "volumes.cue:")
	b.says("#top.state-blocked .state", "as the last good configuration says")
	if b.is("document.querySelectorAll('img').length") != 0.0 || b.is("document.title") != "lab · strata" {
		t.Error("what is in a configuration is taken for a part of the page")
	}
	b.shot("broken")
	volumes("")
	b.shows(`!document.querySelector("#top [role=alert]")`)
	b.shows(`document.querySelector("#top.state-converged")`)

	// With a keyboard: the first key leads past what everybody sees.
	b.open(at)
	b.do(chromedp.KeyEvent(kb.Tab))
	b.shows(`document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.shows(`document.activeElement.id === "volumes-heading"`)

	// Of one volume.
	b.open(at + "?volume=logs")
	b.shows(`document.body.dataset.live === "yes" && document.querySelectorAll("article.volume").length === 1`)
	b.says("article.volume", "logs")

	// Without scripts it is all there.
	scripts := func(run bool) {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
	}
	scripts(false)
	b.open(at)
	scripts(true)
	for _, text := range []string{"everything is as configured", "base", "UTC", "step done", hostNQN} {
		if !strings.Contains(fmt.Sprint(b.is("document.body.innerText")), text) {
			t.Errorf("without scripts there is no %q in\n%v", text, b.is("document.body.innerText"))
		}
	}

	// What is worst comes first.
	b.open(at)
	b.shows(`document.body.dataset.live === "yes"`)
	l.do(t, l.cmdDown, "n2", "n3")
	b.shows(`document.querySelector("#volumes article").matches("[id^=volume-logs].down, [id^=volume-logs].unknown, [id^=volume-logs].absent")`)
	b.shows(`document.querySelectorAll("#nodes .tag.silent").length === 2`)
	b.reads()
	b.shot("trouble")
	b.size(390, 844)
	b.dark(true)
	b.fits()
	b.shot("trouble-phone-dark")
	if foreign := b.is(`performance.getEntriesByType("resource").map(r => r.name).filter(n => !n.startsWith(location.origin + "/")).join()`); foreign != "" {
		t.Error("it loads from elsewhere:", foreign)
	}
	b.mu.Lock()
	for _, p := range b.problems {
		t.Error("Chromium says:", p)
	}
	b.problems = nil
	b.mu.Unlock()

	// A page whose watch is gone says so.
	b.open(at)
	b.shows(`document.body.dataset.live === "yes"`)
	if err := l.watches["watch"].cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	b.says("#line", "not connected")
}

// seen starts a watch of lab, and returns where its page is.
func (l *lab) seen(t *testing.T, args ...string) string {
	t.Helper()
	l.watches["watch"] = &watching{log: filepath.Join(l.dir, "watch.log")}
	out, err := os.Create(l.watches["watch"].log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	l.watches["watch"].cmd = process(l.dir, append(append([]string{"strata", "watch", "--listen", "127.0.0.1:0"}, args...), "lab")...)
	l.watches["watch"].cmd.Stdout, l.watches["watch"].cmd.Stderr = out, out
	if err := l.watches["watch"].cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(watchPatience); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(l.watches["watch"].log)
		if err != nil {
			t.Fatal(err)
		}
		if at := served.FindSubmatch(text); at != nil {
			return string(at[1]) + "/"
		}
		if time.Now().After(until) {
			t.Fatalf("it does not serve\n%s", text)
		}
	}
}
