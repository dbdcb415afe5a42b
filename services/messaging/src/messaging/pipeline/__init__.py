"""The one way to send: a batch goes through each step once, in sets."""
