"""The version of this distribution, which is that of drumline."""

VERSION = "0.1.0"
