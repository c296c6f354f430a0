# Adds a rule for $user to the permissions of $path, or takes it away.
$answer.changed = $false
$object = Open-Object $path
if ($follow -and $object -is [IO.FileSystemInfo] -and ($object.Attributes -band [IO.FileAttributes]::ReparsePoint)) {
    $target = @((Get-Item -LiteralPath $object.FullName -Force).Target)[0]
    if ($target) { $object = Open-Object ([IO.Path]::Combine([IO.Path]::GetDirectoryName($object.FullName), $target)) }
}
$is_key = $object -is [Microsoft.Win32.RegistryKey]
$kind = if ($is_key) { 'Registry' } else { 'FileSystem' }
if ($null -eq $inherit) { $inherit = if ($is_key) { 'ContainerInherit' } elseif ($object -is [IO.DirectoryInfo]) { 'ContainerInherit, ObjectInherit' } else { 'None' } }
$names = [enum]::GetNames("Security.AccessControl.${kind}Rights")
foreach ($right in $rights.Split(',')) { if ($names -notcontains $right.Trim()) { throw "an exception occurred when adding the specified rule: '$right' is no right of $(if ($is_key) { 'a key of the registry' } else { 'a file' }): $($names -join ', ')" } }
$sid = To-Sid $user
$rule = New-Object "Security.AccessControl.${kind}AccessRule" $sid, $rights, $inherit, $propagation, $type

# Whether a rule of its own has all of these rights.
function Is-Covered($acl) {
    foreach ($each in $acl.GetAccessRules($true, $false, [Security.Principal.SecurityIdentifier])) {
        $has, $needs = [int]$each."${kind}Rights", [int]$rule."${kind}Rights"
        if ($each.IdentityReference -eq $sid -and $each.AccessControlType -eq $rule.AccessControlType -and ($has -band $needs) -eq $needs -and
            $each.InheritanceFlags -eq $rule.InheritanceFlags -and $each.PropagationFlags -eq $rule.PropagationFlags) { return $true }
    }
    $false
}

$acl = Read-Acl $object 'Access'
if ((Is-Covered $acl) -eq $present) { return }
$text = "$type $($rule."${kind}Rights") to $(To-Name $sid)"
Differs 'rule' $(if ($present) { $null } else { $text }) $(if ($present) { $text })
Change {
    if ($present) { $acl.AddAccessRule($rule) }
    else { $null = $acl.RemoveAccessRule($rule) }
    Write-Acl $object $acl
}
