"""The whole deployment on one machine: emulator, partner sandbox, build, deploy, seed."""
