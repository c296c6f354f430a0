# Makes the directory $base and those in it that $below names; answers whether any was missing.
$answer.changed = $false
$base = Full $base
MakeDirectory $base
foreach ($directory in $below) { MakeDirectory ($base + '\' + $directory) }
