# Says what is in the directory $path, at any depth: names relative to it, and what each is.
$path = Full $path
$items = @(Get-ChildItem -LiteralPath $path -Recurse -Force)
$answer.names = @($items | ForEach-Object { $_.FullName.Substring($path.Length + 1) })
$answer.kinds = @($items | ForEach-Object { if ($_.PSIsContainer) { 'directory' } else { 'file' } })
$answer.path = $path
