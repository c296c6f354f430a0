# Deletes the temporary file $path.
[IO.File]::Delete($path)
