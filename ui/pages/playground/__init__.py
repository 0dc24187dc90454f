"""placeholder"""
import gradio as gr
def build(app):
    return gr.Button("Run", elem_id="pg-run")
def wire(page, app, tabs): pass
