package provider

// WithoutFile is the settings without the name of the password's file, which is no part of
// what a driver gets.
func (s Settings) WithoutFile() Settings {
	s.postgresPasswordFile = ""
	return s
}
