package book

import "fmt"

func ExampleParseClickID() {
	id, _ := ParseClickID("web1-4f2a.1700000000000001")
	fmt.Println(id.Node, id.Seq)
	// Output: web1-4f2a 1700000000000001
}
