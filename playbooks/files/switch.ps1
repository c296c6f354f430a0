# Makes a release the current one, and says whether it was another before.
param([string] $Root, [string] $Version)

$current = Join-Path $Root 'current.txt'
$before = if (Test-Path -LiteralPath $current) { Get-Content -LiteralPath $current } else { '' }
if ($before -eq $Version) {
    'nothing to do'
} else {
    Set-Content -LiteralPath $current -Value $Version
    "switched from '$before' to '$Version'"
}
