{{- /* The Secret of an earlier revision, so that what was generated once stays the same over upgrades. */ -}}
{{- define "jupyterhub.kept" -}}
{{- $ := index . 0 -}}
{{- $secret := lookup "v1" "Secret" $.Release.Namespace "hub" | default dict -}}
{{- get ($secret.data | default dict) (index . 1) | b64dec -}}
{{- end }}

{{- define "jupyterhub.hex64" -}}
{{- randAlphaNum 64 | sha256sum -}}
{{- end }}

{{- define "jupyterhub.proxy-token" -}}
{{- dig "ConfigurableHTTPProxy" "auth_token" "" .Values.hub.config
    | default .Values.proxy.secretToken
    | default (include "jupyterhub.kept" (list . "hub.config.ConfigurableHTTPProxy.auth_token"))
    | default (randAlphaNum 64) -}}
{{- end }}

{{- define "jupyterhub.cookie-secret" -}}
{{- dig "JupyterHub" "cookie_secret" "" .Values.hub.config
    | default .Values.hub.cookieSecret
    | default (include "jupyterhub.kept" (list . "hub.config.JupyterHub.cookie_secret"))
    | default (include "jupyterhub.hex64" .) -}}
{{- end }}

{{- define "jupyterhub.crypt-keys" -}}
{{- dig "CryptKeeper" "keys" list .Values.hub.config | join ";"
    | default (include "jupyterhub.kept" (list . "hub.config.CryptKeeper.keys"))
    | default (include "jupyterhub.hex64" .) -}}
{{- end }}

{{- /* A service's API token. Takes (list $ <service key>). */ -}}
{{- define "jupyterhub.service-token" -}}
{{- $ := index . 0 -}}{{- $key := index . 1 -}}
{{- $service := get $.Values.hub.services $key | default dict -}}
{{- get $service "api_token" | default (get $service "apiToken")
    | default (include "jupyterhub.kept" (list $ (printf "hub.services.%s.apiToken" $key)))
    | default (include "jupyterhub.hex64" .) -}}
{{- end }}
