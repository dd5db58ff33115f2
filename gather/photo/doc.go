// Package photo takes out of a picture what a camera wrote into it beside the picture: a
// file comes in, the same picture goes out without position, time, owner, serial number,
// thumbnail and remarks. Pixels are not touched. JPEG, PNG and WebP are known; anything else
// goes through as it is.
package photo
