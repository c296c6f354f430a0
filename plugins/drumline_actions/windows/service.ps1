# Brings the service $name into what the variables say; what is $null stays as it is.
function Quote([string]$text) { '"' + $text.Replace('"', '\"') + '"' }

# sc.exe with a line that no PowerShell quotes in its own way.
function Control([string]$line) {
    $start = [Diagnostics.ProcessStartInfo]::new('sc.exe', $line)
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $process = [Diagnostics.Process]::Start($start)
    $said = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    if ($process.ExitCode) { throw "The service '$name' can't be changed (sc.exe ended with $($process.ExitCode)): $("$said".Trim())" }
}

function Same-User([string]$one, [string]$other) {
    $plain = { param($text) ($text -replace '^(\.|NT AUTHORITY)\\', '').Replace(' ', '').ToLowerInvariant() -replace '^system$', 'localsystem' }
    (& $plain $one) -eq (& $plain $other)
}

$kinds = @{ auto = 'Automatic'; delayed = 'Automatic'; disabled = 'Disabled'; manual = 'Manual' }

# Whether it starts by itself is all that $enabled says; which way stays as it is.
function Mode-For([string]$now) {
    if ($null -eq $enabled -or $enabled -eq ($now -in 'auto', 'delayed')) { return $start_mode }
    if ($enabled) { 'auto' } else { 'manual' }
}

# The services that it is to need; $null: as it is.
function Wanted-Dependencies($old) {
    if ($null -eq $dependencies) { return $null }
    switch ($dependency_action) {
        'add' { , @(@($old) + @($dependencies | Where-Object { $old -notcontains $_ })) }
        'remove' { , @($old | Where-Object { $dependencies -notcontains $_ }) }
        default { , @($dependencies) }
    }
}

function Make {
    if ($null -eq $path) { throw "the service '$name' does not exist, and without 'path' it can't be made" }
    $given = @{ Name = $name; BinaryPathName = $path }
    if ($display_name) { $given.DisplayName = $display_name }
    if ($description) { $given.Description = $description }
    if ($start_mode) { $given.StartupType = $kinds[$start_mode] }
    $needed = Wanted-Dependencies @()
    if (@($needed).Count) { $given.DependsOn = $needed }
    Change {
        $null = New-Service @given
        if ($start_mode -eq 'delayed') { Control "config $(Quote $name) start= delayed-auto" }
        if ($username) { Control "config $(Quote $name) obj= $(Quote $username)$(if ($null -ne $password) { " password= $(Quote $password)" })" }
    }
}

function Adapt($service) {
    $id = $service.ServiceName
    $config = Read-Config $id
    $start_mode = Mode-For $config.start_mode
    if ($start_mode -and $config.start_mode -ne $start_mode) {
        Change {
            if ('delayed' -in $start_mode, $config.start_mode) { Control "config $(Quote $id) start= $(@{ auto = 'auto'; delayed = 'delayed-auto'; disabled = 'disabled'; manual = 'demand' }[$start_mode])" }
            else {
                Set-Service -Name $id -StartupType $kinds[$start_mode] -ErrorAction SilentlyContinue -ErrorVariable problems
                if ((Read-Config $id).start_mode -ne $start_mode) { throw "The service '$id' can't be changed: $problems" }
            }
        }
    }
    if ($null -ne $display_name -and $config.display_name -cne $display_name) { Change { Set-Service -Name $id -DisplayName $display_name } }
    if ($null -ne $description -and $config.description -cne $description) { Change { Set-Service -Name $id -Description $description } }
    $options = @()
    if ($null -ne $path -and $config.path -cne $path) { $options += "binPath= $(Quote $path)" }
    $needed = Wanted-Dependencies $config.dependencies
    if ($null -ne $needed -and (@($needed | Sort-Object) -join '/') -ne (@($config.dependencies | Sort-Object) -join '/')) {
        $options += 'depend= ' + (Quote $(if (@($needed).Count) { @($needed) -join '/' } else { '/' }))
    }
    if ($null -ne $username -and -not (Same-User $config.username $username)) { $options += "obj= $(Quote $username)" }
    if ($null -ne $password -and $update_password -eq 'always') { $options += "password= $(Quote $password)" }
    if ($options) { Change { Control "config $(Quote $id) $($options -join ' ')" } }
}

function Bring($service) {
    $id, $now = $service.ServiceName, (State-Of $service)
    switch ($state) {
        'started' {
            if ($now -eq 'paused') { Change { Resume-Service -Name $id -WarningAction SilentlyContinue } }
            elseif ($now -ne 'started') { Change { Start-Service -Name $id -WarningAction SilentlyContinue } }
        }
        'stopped' {
            if ($now -ne 'stopped') { Change { Stop-Service -Name $id -Force:$force_dependent_services -WarningAction SilentlyContinue } }
        }
        'restarted' { Change { Restart-Service -Name $id -Force:$force_dependent_services -WarningAction SilentlyContinue } }
        'paused' {
            if ($now -ne 'paused') { Change { Suspend-Service -Name $id -WarningAction SilentlyContinue } }
        }
    }
}

$answer.changed = $false
$service = Find-Service $name
if ($state -eq 'absent') {
    $answer.exists = $false
    if ($service) {
        Change {
            if ("$($service.Status)" -ne 'Stopped') { Stop-Service -Name $service.ServiceName -Force:$force_dependent_services -WarningAction SilentlyContinue }
            Control "delete $(Quote $service.ServiceName)"
        }
    }
    return
}
if ($service) { Adapt $service } else { Make }
$service = Find-Service $name
if ($service) { Bring $service }
$service = Find-Service $name
$answer.exists = $null -ne $service
if ($service) {
    $config = Read-Config $service.ServiceName
    foreach ($each in 'path', 'start_mode', 'display_name', 'description', 'username', 'dependencies', 'desktop_interact') { $answer[$each] = $config[$each] }
    $answer.name = $service.ServiceName
    $answer.state = State-Of $service
    $answer.can_pause_and_continue = $service.CanPauseAndContinue
    $answer.depended_by = @($service.DependentServices | ForEach-Object { $_.ServiceName })
}
