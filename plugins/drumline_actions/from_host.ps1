# Puts the file or directory $src of this host at $dest, if what is there differs; place.ps1 stands ahead of it.
$origin = 'host'

function FromHost([string]$source, [string]$target) {
    $sum = Sum SHA1 $source
    if ($expected -and $sum -ne $expected) { throw "The checksum of $source is $sum instead of $expected" }
    $answer.checksum = $sum
    Place $source $target $sum
}

# Where a path really leads: each part that is a link or a junction is followed.
function Real([string]$path) {
    for ($hops = 0; $hops -lt 40; $hops++) {
        $root = [IO.Path]::GetPathRoot($path)
        $done = $root
        $rest = @($path.Substring($root.Length).Split('\') | Where-Object { $_ })
        for ($i = 0; $i -lt $rest.Count; $i++) {
            $next = [IO.Path]::Combine($done, $rest[$i])
            $leads = $null
            if ([IO.Directory]::Exists($next) -and ([IO.File]::GetAttributes($next) -band [IO.FileAttributes]::ReparsePoint)) {
                $leads = @((Get-Item -LiteralPath $next -Force).Target)[0]
            }
            if ($leads) {
                $more = @($rest | Select-Object -Skip ($i + 1)) -join '\'
                $path = [IO.Path]::GetFullPath([IO.Path]::Combine([IO.Path]::Combine($done, $leads), $more))
                break
            }
            $done = $next
        }
        if ($i -ge $rest.Count) { return $done.TrimEnd('\') }
    }
    throw "$path leads in circles: a link in it leads to itself"
}

# $above: where the directories that this one is in really are. The depth ends what can't be told by that.
function Tree([string]$source, [string]$target, [string[]]$above) {
    if ($above.Count -gt 200) { throw "$source is nested too deeply: does a link in it lead back up?" }
    MakeDirectory $target
    foreach ($item in [IO.Directory]::GetFiles($source)) {
        FromHost $item ([IO.Path]::Combine($target, [IO.Path]::GetFileName($item)))
    }
    foreach ($item in [IO.Directory]::GetDirectories($source)) {
        $real = Real $item
        if ($above -contains $real) { throw "$item is a link that leads back to a directory that is being copied" }
        Tree $item ([IO.Path]::Combine($target, [IO.Path]::GetFileName($item))) ($above + $real)
    }
}

function CopyTree {
    $dest = $dest.TrimEnd('\')
    $inside = $src.EndsWith('\')
    $src = $src.TrimEnd('\')
    if (-not $inside) { $dest = $dest + '\' + [IO.Path]::GetFileName($src) }
    $from = Real $src
    $to = Real $dest
    if (($to + '\').StartsWith($from + '\', [StringComparison]::OrdinalIgnoreCase)) {
        throw "$src can't be copied into itself: $dest is in it"
    }
    $diff = $false # there would be one of each file
    $null = Tree $src $dest @($from, $to)
    $dest
}

$src = Full $src
$dest = Full $dest
if ([IO.Directory]::Exists($src)) {
    $answer.dest = CopyTree
    return
}
if (-not [IO.File]::Exists($src)) { throw "Source $src not found" }
$name = [IO.Path]::GetFileName($src)
$dest = Settle $dest
FromHost $src $dest
Placed $dest
