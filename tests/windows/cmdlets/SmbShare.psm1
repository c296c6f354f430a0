# The module SmbShare: shares, and who may do what with them.
function Reset-SmbShare { [AppDomain]::CurrentDomain.SetData('SmbShare', @{}); $null = New-SmbShare -Name data -Path C:\windows }
function Get-Shares { [AppDomain]::CurrentDomain.GetData('SmbShare') }

function Get-SmbShare {
    [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [switch]$Special)
    if (-not (Get-Shares).ContainsKey("$Name")) { Write-Error "No MSFT_SMBShare objects found with property 'Name' equal to '$Name'."; return }
    [pscustomobject](Get-Shares)["$Name"].share
}
function New-SmbShare {
    [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [Parameter(Mandatory)][string]$Path, [string]$Description, [bool]$EncryptData, [string]$FolderEnumerationMode, [string]$CachingMode, [string[]]$FullAccess, [string[]]$ReadAccess)
    (Get-Shares)[$Name] = @{ share = @{ Name = $Name; Path = $Path; Description = ''; EncryptData = $false; FolderEnumerationMode = 'Unrestricted'; CachingMode = 'Manual' }; rules = @{ Everyone = 'Read' } }
}
function Set-SmbShare {
    [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [string]$Description, [bool]$EncryptData, [ValidateSet('AccessBased', 'Unrestricted')][string]$FolderEnumerationMode, [ValidateSet('None', 'Manual', 'Documents', 'Programs', 'BranchCache', 'Unknown')][string]$CachingMode, [switch]$Force)
    foreach ($each in 'Description', 'EncryptData', 'FolderEnumerationMode', 'CachingMode') { if ($PSBoundParameters.ContainsKey($each)) { (Get-Shares)["$Name"].share[$each] = $PSBoundParameters[$each] } }
}
function Remove-SmbShare { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [switch]$Force) if (-not $Force) { throw 'A question that no one answers' }; (Get-Shares).Remove("$Name") }
function Get-SmbShareAccess {
    [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name)
    $rules = (Get-Shares)["$Name"].rules
    foreach ($account in $rules.Keys) { [pscustomobject]@{ Name = "$Name"; AccountName = $account; AccessControlType = $(if ($rules[$account] -eq 'Deny') { 'Deny' } else { 'Allow' }); AccessRight = $(if ($rules[$account] -eq 'Deny') { 'Full' } else { $rules[$account] }) } }
}
function Grant-SmbShareAccess { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [string[]]$AccountName, [ValidateSet('Full', 'Change', 'Read', 'Custom')][string]$AccessRight, [switch]$Force) (Get-Shares)["$Name"].rules["$AccountName"] = $AccessRight }
function Revoke-SmbShareAccess { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [string[]]$AccountName, [switch]$Force) (Get-Shares)["$Name"].rules.Remove("$AccountName") }
function Block-SmbShareAccess { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [string[]]$AccountName, [switch]$Force) (Get-Shares)["$Name"].rules["$AccountName"] = 'Deny' }
function Unblock-SmbShareAccess { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name, [string[]]$AccountName, [switch]$Force) (Get-Shares)["$Name"].rules.Remove("$AccountName") }

if (-not [AppDomain]::CurrentDomain.GetData('SmbShare')) { Reset-SmbShare }
