# Removes the directory $path with all that is in it.
Remove-Item -LiteralPath $path -Recurse -Force
$answer.path = $path
