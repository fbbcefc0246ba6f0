CREATE TRIGGER tr_documents_enqueue_insert
    AFTER INSERT ON data_platform.documents
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION data_platform.enqueue_documents();

CREATE TRIGGER tr_documents_enqueue_update
    AFTER UPDATE ON data_platform.documents
    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION data_platform.enqueue_changed_documents();
