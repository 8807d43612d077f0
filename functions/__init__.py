"""The doors: parse what comes in, call one service, answer."""
