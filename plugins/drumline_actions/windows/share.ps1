# Brings the share $name of the directory $path into $state. $rules are lists of accounts by Full, Change, Read and Deny.
$answer.changed = $false
$answer.actions = @()

function Act([string]$said, [scriptblock]$what) { $answer.actions += $said; Change $what }

# Who may do what: rights by SIDs.
function Read-Rules {
    $found = @{}
    foreach ($rule in @(Get-SmbShareAccess -Name $name)) {
        $sid = try { (To-Sid $rule.AccountName).Value } catch { $rule.AccountName }
        $found[$sid] = @{ account = $rule.AccountName; right = $(if ("$($rule.AccessControlType)" -eq 'Deny') { 'Deny' } else { "$($rule.AccessRight)" }) }
    }
    $found
}

function Take-Away($rule) {
    if ($rule.right -eq 'Deny') { Act "Unblock-SmbShareAccess -Name $name -AccountName $($rule.account)" { $null = Unblock-SmbShareAccess -Name $name -AccountName $rule.account -Force } }
    else { Act "Revoke-SmbShareAccess -Name $name -AccountName $($rule.account)" { $null = Revoke-SmbShareAccess -Name $name -AccountName $rule.account -Force } }
}

function Set-Rules($has) {
    $wanted = @{}
    foreach ($right in 'Read', 'Change', 'Full', 'Deny') { foreach ($account in $rules[$right]) { $wanted[(To-Sid $account).Value] = $right } }
    foreach ($sid in @($has.Keys)) {
        $away = if ($wanted.ContainsKey($sid)) { $has[$sid].right -ne $wanted[$sid] } else { $only }
        if ($away) { Differs "access of $($has[$sid].account)" $has[$sid].right $wanted[$sid]; Take-Away $has[$sid]; $has.Remove($sid) }
    }
    foreach ($sid in @($wanted.Keys | Where-Object { -not $has.ContainsKey($_) })) {
        $account, $right = (To-Name (To-Sid $sid)), $wanted[$sid]
        Differs "access of $account" $null $right
        if ($right -eq 'Deny') { Act "Block-SmbShareAccess -Name $name -AccountName $account" { $null = Block-SmbShareAccess -Name $name -AccountName $account -Force } }
        else { Act "Grant-SmbShareAccess -Name $name -AccountName $account -AccessRight $right" { $null = Grant-SmbShareAccess -Name $name -AccountName $account -AccessRight $right -Force } }
    }
}

$share = @(Get-SmbShare -Name $name -ErrorAction SilentlyContinue)[0]
if ($state -eq 'absent') {
    if ($share) { Act "Remove-SmbShare -Name $name" { Remove-SmbShare -Name $name -Force } }
    return
}
$path = (Full $path).TrimEnd('\')
if ($path -like '?:') { $path += '\' }
if (-not [IO.Directory]::Exists($path)) { throw "$path directory does not exist on the host" }
if ($share -and $share.Path -ne $path) {
    Differs 'path' $share.Path $path
    Act "Remove-SmbShare -Name $name" { Remove-SmbShare -Name $name -Force }
    $share = $null
}
$made = -not $share
if ($made) { Act "New-SmbShare -Name $name -Path $path" { $null = New-SmbShare -Name $name -Path $path } }
$settings = @{ FolderEnumerationMode = $(if ($list) { 'Unrestricted' } else { 'AccessBased' }); CachingMode = $caching_mode; EncryptData = $encrypt }
if ($null -ne $description) { $settings.Description = $description }
if ($made -and $check) { Set-Rules @{}; return }
$share = @(Get-SmbShare -Name $name)[0]
foreach ($each in @($settings.Keys)) {
    if ("$($share.$each)" -eq "$($settings[$each])") { $settings.Remove($each) } else { Differs $each "$($share.$each)" "$($settings[$each])" }
}
if ($settings.Count) { Act "Set-SmbShare -Name $name $(@($settings.Keys | Sort-Object | ForEach-Object { "-$_ $($settings[$_])" }) -join ' ')" { Set-SmbShare -Name $name @settings -Force } }
Set-Rules (Read-Rules)
