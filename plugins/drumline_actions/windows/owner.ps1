# Makes $user the owner of $path and, with $recurse, of all below.
$answer.changed = $false
$object = Open-Object $path
$sid = To-Sid $user

function Owner-Of($item) { (Read-Acl $item 'Owner').GetOwner([Security.Principal.SecurityIdentifier]) }

$owner = Owner-Of $object
$all = @($object)
if ($recurse -and $object -is [IO.DirectoryInfo]) { $all += @(Get-ChildItem -LiteralPath $object.FullName -Recurse -Force) }
$others = @($all | Where-Object { (Owner-Of $_) -ne $sid })
if (-not $others) { return }
Differs 'owner' "$(if ($owner) { To-Name $owner })" (To-Name $sid)
Change {
    # It takes the privilege that giving files to others needs.
    $words = @($object.FullName, '/setowner', "*$($sid.Value)", '/C', '/Q') + @(if ($all.Count -gt 1) { '/T' })
    $said = (& icacls.exe @words 2>&1 | Out-String).Trim()
    if ($LASTEXITCODE) { throw "icacls.exe ended with exit code ${LASTEXITCODE}: $said" }
}
