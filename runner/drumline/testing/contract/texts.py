"""Bytes and texts that transports like to spoil."""

EVERY_BYTE = bytes(range(256))
UNICODE = "Grüße, 世界 🥁 \u2018q\u2019 \u201cQ\u201d €"
#: Text that shells, templates and quoting like to spoil.
AWKWARD = "  a 'b' \"c\" $HOME `d` $(e) %PATH% ^f !g! \\h\\ {{ i }} <j> & | ; # ~ * ? [k] \t "
#: Output that looks like the marks with which transports and PowerShell tell commands apart.
MARKS = "#< CLIXML\n<Objs></Objs>\ndrumline:0123456789abcdef:0\n\x1e\x1f0\n__END__ 0\nEOF\nAAAA==\n$?\n\n0\n"
