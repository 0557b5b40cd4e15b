FROM python:3.11-slim
WORKDIR /app
# torch first and by itself, as the CPU build: see pre-requirements.txt.
COPY pre-requirements.txt requirements.txt ./
RUN pip install --no-cache-dir -r pre-requirements.txt && pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home ask && chown -R ask index && su ask -c "python build_index.py"
USER ask
ENV ASK_IOP_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/readyz')"]
CMD ["python", "app.py"]
