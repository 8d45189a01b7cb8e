package git

func writer(string) {}
