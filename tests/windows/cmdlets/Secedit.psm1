# secedit.exe: /export /cfg [/areas], /configure /db /cfg [/areas], with /log and /quiet. Its files are UTF-16.
function Reset-Secedit {
    [AppDomain]::CurrentDomain.SetData('Secedit', @{
            'Unicode'          = [ordered]@{ Unicode = 'yes' }
            'System Access'    = [ordered]@{ MinimumPasswordAge = '0'; MinimumPasswordLength = '7'; NewGuestName = '"Guest"' }
            'Event Audit'      = [ordered]@{ AuditLogonEvents = '0' }
            'Registry Values'  = [ordered]@{ 'MACHINE\System\CurrentControlSet\Control\Lsa\LimitBlankPasswordUse' = '4,1' }
            'Privilege Rights' = [ordered]@{ SeServiceLogonRight = '*S-1-5-20,*S-1-5-32-545,Gone'; SeShutdownPrivilege = '*S-1-5-32-544' }
        })
}

function Get-Secedit { [AppDomain]::CurrentDomain.GetData('Secedit') }

function secedit.exe {
    $policy = Get-Secedit
    $global:LASTEXITCODE = 0
    $option, $verb = @{}, $args[0]
    for ($i = 1; $i -lt $args.Count; $i++) {
        if ($args[$i] -in '/db', '/cfg', '/areas', '/log') { $option[$args[$i]] = $args[$i + 1]; $i++ }
        elseif ($args[$i] -notin '/quiet', '/overwrite') { $global:LASTEXITCODE = 1; return "The parameter is not valid: $($args[$i])" }
    }
    if ($option['/areas'] -and $option['/areas'] -notin 'USER_RIGHTS', 'SECURITYPOLICY') { $global:LASTEXITCODE = 87; return 'The parameter is incorrect.' }
    switch ($verb) {
        '/export' {
            $sections = if ($option['/areas'] -eq 'USER_RIGHTS') { 'Unicode', 'Privilege Rights' } else { $policy.Keys }
            $lines = foreach ($section in $sections) {
                "[$section]"
                foreach ($key in $policy[$section].Keys) { if ($section -eq 'Registry Values') { "$key=$($policy[$section][$key])" } else { "$key = $($policy[$section][$key])" } }
            }
            [IO.File]::WriteAllLines($option['/cfg'], [string[]](@($lines) + '[Version]', 'signature="$CHICAGO$"', 'Revision=1'), [Text.Encoding]::Unicode)
        }
        '/configure' {
            $text = [IO.File]::ReadAllText($option['/cfg'])
            if (-not $option['/db'] -or $text -notmatch '(?m)^signature="\$CHICAGO\$"') { $global:LASTEXITCODE = 1; return 'The data is invalid.' }
            $section = ''
            foreach ($line in $text -split '\r?\n') {
                if ($line -match '^\[(.+)\]$') { $section = $Matches[1] }
                elseif ($line -match '^(.+?)\s*=\s*(.*)$' -and $section -notin 'Unicode', 'Version') {
                    $key, $value = $Matches[1], $Matches[2]
                    if ($section -eq 'System Access' -and -not $policy[$section].Contains($key)) { $global:LASTEXITCODE = 3; [IO.File]::WriteAllText($option['/log'], "Unknown attribute $key") }
                    elseif ($section -eq 'Privilege Rights' -and -not $value) { $policy[$section].Remove($key) }
                    else { $policy[$section][$key] = $value }
                }
            }
        }
    }
}

if (-not [AppDomain]::CurrentDomain.GetData('Secedit')) { Reset-Secedit }
