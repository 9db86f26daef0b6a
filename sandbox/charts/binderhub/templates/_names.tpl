{{- /* The Docker configuration that builds push with. No url means Docker Hub, whose key is its old index address. */ -}}
{{- define "binderhub.docker-config" -}}
{{- $url := .Values.registry.url | default "https://index.docker.io/v1/" -}}
{{- $username := .Values.registry.username | default (eq $url "https://gcr.io" | ternary "_json_key" "<token>") -}}
{{- $config := dict "auths" (dict $url (dict "auth" (printf "%s:%s" $username (.Values.registry.password | default "") | b64enc))) -}}
{{- merge $config (.Values.config.BinderHub.buildDockerConfig | default dict) | toPrettyJson -}}
{{- end }}

{{- /* Labels of the binder's rights. */ -}}
{{- define "binderhub.labels" -}}
{app: binderhub, chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}, heritage: {{ .Release.Service }}, release: {{ .Release.Name }}}
{{- end }}
