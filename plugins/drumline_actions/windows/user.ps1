# Brings the local user $name into $state; what is $null stays as it is.
$disabled, $locked, $no_change, $no_expiry = 0x2, 0x10, 0x40, 0x10000

function Flags-Of($user) { [int](Value-Of $user 'UserFlags') }

function Set-Flag($user, [int]$bit, $on, [string]$what) {
    if ($null -eq $on -or [bool]((Flags-Of $user) -band $bit) -eq $on) { return }
    Differs $what (-not $on) $on
    Change {
        $user.Properties['UserFlags'].Value = if ($on) { (Flags-Of $user) -bor $bit } else { (Flags-Of $user) -band -bnot $bit }
        $user.CommitChanges()
    }
}

# Whether that is the password already, as far as an attempt to log on tells.
function Is-Password {
    try {
        $null = [Reflection.Assembly]::LoadWithPartialName('System.DirectoryServices.AccountManagement')
        $context = New-Object DirectoryServices.AccountManagement.PrincipalContext 'Machine'
        $context.ValidateCredentials($name, $password)
    }
    catch { $false }
}

function Set-Password($user) {
    if ($null -eq $password -or $update_password -ne 'always' -or (Is-Password)) { return }
    Differs 'password' 'OLD_PASSWORD' 'NEW_PASSWORD'
    Change { $null = $user.Invoke('SetPassword', @($password)); $user.CommitChanges() }
}

function Expiry-Of($user) { try { $user.InvokeGet('AccountExpirationDate') } catch { } }

function Set-Expiry($user) {
    if ($null -eq $expires) { return }
    $now = Expiry-Of $user
    # Never, in the words of Windows.
    $never = $null -eq $now -or ([DateTime]$now).Year -eq 1970
    $wanted = if ($expires -eq 'never') { [DateTime]'1970-01-01' } else { [DateTimeOffset]::Parse($expires, [Globalization.CultureInfo]::InvariantCulture, 'AssumeUniversal').LocalDateTime }
    if ($(if ($expires -eq 'never') { $never } else { -not $never -and [DateTime]$now -eq $wanted })) { return }
    Differs 'account_expires' $(if (-not $never) { "$now" }) $expires
    Change { $null = $user.InvokeSet('AccountExpirationDate', @($wanted)); $user.CommitChanges() }
}

function Groups-Of($user) { foreach ($each in $user.Invoke('Groups')) { New-Entry $each } }

function Set-Groups($user) {
    if ($null -eq $groups) { return }
    $wanted = foreach ($each in $groups) {
        $group = Find-Entry 'group' $(if ($each -like 'S-1-*') { (To-Name (To-Sid $each)) -replace '^.*\\' } else { $each })
        if (-not $group) { throw "The group '$each' doesn't exist" }
        $group
    }
    $has = @(if ($user) { Groups-Of $user | ForEach-Object { $_.Name } })
    $names = @($wanted | ForEach-Object { $_.Name })
    $into = @(if ($groups_action -ne 'remove') { $wanted | Where-Object { $_.Name -notin $has } })
    $from = @(switch ($groups_action) {
            'remove' { $wanted | Where-Object { $_.Name -in $has } }
            'replace' { $has | Where-Object { $_ -notin $names } | ForEach-Object { Find-Entry 'group' $_ } }
        })
    if (-not $into -and -not $from) { return }
    Differs 'groups' ([string[]]$has) ([string[]]@(@($has | Where-Object { $_ -notin @($from | ForEach-Object { $_.Name }) }) + @($into | ForEach-Object { $_.Name })))
    Change {
        $sid = (Sid-Of $user).Value
        foreach ($group in $into) { Add-Member $group $sid }
        foreach ($group in $from) { Remove-Member $group $sid }
    }
}

function Describe($user) {
    $flags = Flags-Of $user
    $answer.fullname = "$(Value-Of $user 'FullName')"
    $answer.description = "$(Value-Of $user 'Description')"
    $answer.path = $user.Path
    $answer.sid = (Sid-Of $user).Value
    $answer.account_disabled = [bool]($flags -band $disabled)
    $answer.account_locked = [bool]($flags -band $locked)
    $answer.user_cannot_change_password = [bool]($flags -band $no_change)
    $answer.password_never_expires = [bool]($flags -band $no_expiry)
    $answer.password_expired = [bool](Value-Of $user 'PasswordExpired')
    $answer.groups = @(Groups-Of $user | ForEach-Object { @{ name = "$($_.Name)"; path = "$($_.Path)" } })
}

$answer.changed = $false
$user = Find-Entry 'user' $name
switch ($state) {
    'absent' {
        if ($user) { Change { $computer.Children.Remove($user) }; $answer.msg = "User '$name' deleted successfully" }
        else { $answer.msg = "User '$name' was not found" }
    }
    'present' {
        if (-not $user) {
            Differs 'state' 'absent' 'present'
            Change {
                $user = $computer.Children.Add($name, 'user')
                if ($null -ne $password) { $null = $user.Invoke('SetPassword', @($password)) }
                $user.CommitChanges()
            }
            # In a check there is no one to compare with.
            if ($check) { return }
            $user = Find-Entry 'user' $name
        }
        else { Set-Password $user }
        Set-Property $user 'FullName' $fullname
        Set-Property $user 'Description' $description
        Set-Property $user 'HomeDirectory' $home_directory
        Set-Property $user 'LoginScript' $login_script
        Set-Property $user 'Profile' $profile_path
        if ($null -ne $password_expired) { Set-Property $user 'PasswordExpired' ([int]$password_expired) }
        Set-Flag $user $disabled $account_disabled 'account_disabled'
        Set-Flag $user $no_change $user_cannot_change_password 'user_cannot_change_password'
        Set-Flag $user $no_expiry $password_never_expires 'password_never_expires'
        if ($account_locked -eq $false) { Set-Flag $user $locked $false 'account_locked' }
        Set-Expiry $user
        Set-Groups $user
    }
}
$user = Find-Entry 'user' $name
$answer.state = if ($user) { 'present' } else { 'absent' }
if ($user) { Describe $user }
