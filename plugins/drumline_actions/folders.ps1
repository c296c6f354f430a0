# Makes the folder $base and those in it that $below names; answers whether any was missing.
$answer.changed = $false
$base = Full $base
MakeFolder $base
foreach ($folder in $below) { MakeFolder ($base + '\' + $folder) }
