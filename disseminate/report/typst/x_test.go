package typst_test
import ("testing";"fmt";"time";"runtime/pprof";"os")
func TestX(t *testing.T) {
	e := start(t)
	for _, s := range []string{"hello %d", "= Report %d\n#for i in range(200) [Point #i has movements. ]","= Report %d\n#for i in range(200) [Point #i has movements. \n\n]", "#table(columns:4, ..range(400).map(i=>[#(i+%d)]))"} {
	for i := 0; i < 4; i++ {
		t0 := time.Now()
		compile(t, e, fmt.Sprintf(s, i))
		h, m := e.Live(); t.Log(i, time.Since(t0), h, m>>20) 
	}}
	f,_:=os.Create("/tmp/cpu.prof"); pprof.StartCPUProfile(f)
	for i := 0; i < 10; i++ {compile(t, e, fmt.Sprintf("= Report %d\n#for i in range(200) [Point #i has movements. ]",i))}
	pprof.StopCPUProfile()
}
