// Command s3 is the S3 server of rclone (rclone serve s3) with no other of its parts: a
// real server with signatures over a folder, for the tests. It is a module of its own,
// so that the program does not depend on what it brings.
package main

import (
	_ "github.com/rclone/rclone/backend/local"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/serve"
	_ "github.com/rclone/rclone/cmd/serve/s3"
)

func main() { cmd.Main() }
