{{- define "selector" -}}
app.kubernetes.io/name: {{ .Values.model }}
{{- end -}}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/part-of: models
{{- end -}}
{{- define "image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}
