# [DirectoryServices.DirectoryEntry] of the provider WinNT, and a PrincipalContext, as New-Object makes them; what else is
# asked for, the real New-Object makes. Accounts are those that Wine can name.
function Reset-Directory {
    [AppDomain]::CurrentDomain.SetData('Directory', @{
            users  = @{ app = @{ sid = 'S-1-5-20'; FullName = 'App'; Description = ''; HomeDirectory = ''; LoginScript = ''; Profile = ''; PasswordExpired = 0; UserFlags = 0x212; expires = $null; password = 'old' } }
            groups = @{
                Users          = @{ sid = 'S-1-5-32-545'; Description = ''; members = @('S-1-5-20', 'S-1-5-21-1-2-3-9') }
                Administrators = @{ sid = 'S-1-5-32-544'; Description = ''; members = @() }
                Guests         = @{ sid = 'S-1-5-32-546'; Description = ''; members = @() }
            }
        })
}

function Get-Directory { [AppDomain]::CurrentDomain.GetData('Directory') }

function New-Property($row, $name) {
    Add-Member -InputObject ([pscustomobject]@{ row = $row; name = $name }) -PassThru -MemberType ScriptProperty -Name Value -Value {
        if ($this.name -ne 'objectSid') { return $this.row[$this.name] }
        $sid = [Security.Principal.SecurityIdentifier]$this.row.sid
        $bytes = [byte[]]::new($sid.BinaryLength)
        $sid.GetBinaryForm($bytes, 0)
        , $bytes
    } -SecondValue { if (-not $this.row.ContainsKey($this.name)) { throw 'The property cannot be found in the cache.' }; $this.row[$this.name] = $args[0] }
}

# An entry; one that is new is kept when it is committed.
function New-Account([string]$kind, [string]$name, $row, [bool]$new) {
    $properties = @{}
    foreach ($property in @($row.Keys) + 'objectSid') { $properties[$property] = New-Property $row $property }
    $entry = [pscustomobject]@{ kind = $kind; Name = $name; Path = "WinNT://WORKGROUP/HOST/$name"; row = $row; new = $new; Properties = $properties }
    Add-Member -InputObject $entry ScriptMethod CommitChanges { if ($this.new) { (Get-Directory)["$($this.kind)s"][$this.Name] = $this.row } }
    Add-Member -InputObject $entry ScriptMethod InvokeGet { if ($null -eq $this.row.expires) { throw 'The directory property cannot be found in the cache.' }; $this.row.expires }
    Add-Member -InputObject $entry ScriptMethod InvokeSet { $this.row.expires = @($args[1])[0] }
    Add-Member -InputObject $entry ScriptMethod Invoke {
        $what, $first = $args[0], "$(@($args[1])[0])"
        $all = Get-Directory
        switch ($what) {
            'SetPassword' { if ($first.Length -lt 3) { throw 'The password does not meet the password policy requirements.' }; $this.row.password = $first }
            'Groups' { foreach ($each in @($all.groups.Keys | Sort-Object)) { if ($all.groups[$each].members -contains $this.row.sid) { New-Account 'group' $each $all.groups[$each] $false } } }
            'Members' { foreach ($sid in $this.row.members) { New-Account 'user' '' @{ sid = $sid } $false } }
            'Add' { $sid = $first -replace '^WinNT://'; if ($this.row.members -contains $sid) { throw 'The specified account name is already a member of the group.' }; $this.row.members += $sid }
            'Remove' { $sid = $first -replace '^WinNT://'; $this.row.members = @($this.row.members | Where-Object { $_ -ne $sid }) }
        }
    }
    $entry
}

function New-Computer {
    $children = [pscustomobject]@{}
    Add-Member -InputObject $children ScriptMethod Find {
        $row = (Get-Directory)["$($args[1])s"][$args[0]]
        if (-not $row) { throw [Runtime.InteropServices.COMException]::new("The $($args[1]) name could not be found.") }
        New-Account $args[1] $args[0] $row $false
    }
    Add-Member -InputObject $children ScriptMethod Add {
        $row = if ($args[1] -eq 'user') { @{ sid = 'S-1-5-19'; FullName = ''; Description = ''; HomeDirectory = ''; LoginScript = ''; Profile = ''; PasswordExpired = 0; UserFlags = 0x201; expires = $null; password = '' } } else { @{ sid = 'S-1-5-32-547'; Description = ''; members = @() } }
        New-Account $args[1] $args[0] $row $true
    }
    Add-Member -InputObject $children ScriptMethod Remove { (Get-Directory)["$($args[0].kind)s"].Remove($args[0].Name) }
    [pscustomobject]@{ Children = $children }
}

function New-Object {
    [CmdletBinding()] param([Parameter(Position = 0)][string]$TypeName, [Parameter(Position = 1)][object[]]$ArgumentList, [string]$ComObject, [Collections.IDictionary]$Property, [switch]$Strict)
    $first = if ($ArgumentList) { $ArgumentList[0] }
    if ($TypeName -like '*PrincipalContext') {
        return Add-Member -InputObject ([pscustomobject]@{}) -PassThru ScriptMethod ValidateCredentials { $user = (Get-Directory).users[$args[0]]; $user.password -ceq $args[1] }
    }
    if ($TypeName -notlike '*DirectoryEntry') { return Microsoft.PowerShell.Utility\New-Object @PSBoundParameters }
    if ($first -isnot [string]) { return $first }
    if ($first -notmatch '^WinNT://[^/]+,computer$') { throw "Unknown error (0x80005000): $first" }
    New-Computer
}

if (-not [AppDomain]::CurrentDomain.GetData('Directory')) { Reset-Directory }
